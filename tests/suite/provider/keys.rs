//! Keys are checked before they are sent anywhere (SR-5, SR-6), and estimates are cheap.

use postkey::provider::{KeyFormError, Provider, UnknownProvider, check_key_form, tokens, trim_key};
use secrecy::{ExposeSecret, SecretString};

#[test]
fn a_key_of_another_provider_is_refused_by_name() {
    use Provider::{Gemini, OpenAi, OpenAiCompatible, OpenRouter};
    let other = |name| Err(KeyFormError::OtherProvider(name));
    for (provider, key, expected) in [
        (OpenAi, "sk-proj-0123456789", Ok(())),
        (OpenAi, "sk-0123456789", Ok(())),
        (OpenAi, "unknown-prefix", Ok(())),
        (OpenAi, "sk-ant-api03-0123", other("Anthropic")),
        (OpenAi, "sk-or-v1-0123", other("OpenRouter")),
        (OpenAi, "gsk_0123", other("Groq")),
        (OpenAi, "AIza0123", other("Google Gemini")),
        (OpenRouter, "sk-or-v1-0123", Ok(())),
        (OpenRouter, "sk-proj-0123", other("OpenAI")),
        (Gemini, "AIza0123", Ok(())),
        (Gemini, "AQ.Ab0123", Ok(())),
        (Gemini, "sk-0123", other("OpenAI")),
        (OpenAiCompatible, "gsk_0123", Ok(())),
        (OpenAiCompatible, "sk-ant-api03-0123", Ok(())),
        (OpenAi, "sk-admin-0123", Err(KeyFormError::Administration)),
        (OpenAiCompatible, "sk-ant-admin01-0123", Err(KeyFormError::Administration)),
        (OpenAi, "", Err(KeyFormError::Empty)),
        (OpenAi, "sk-01 23", Err(KeyFormError::Characters)),
        (OpenAi, "sk-01\n23", Err(KeyFormError::Characters)),
        (OpenAi, "sk-01\u{0}23", Err(KeyFormError::Characters)),
        (OpenAi, "sk-０１２３", Err(KeyFormError::Characters)),
        (Gemini, "{\"type\": \"service_account\"}", Err(KeyFormError::Document)),
        (OpenAi, &"k".repeat(512), Ok(())),
        (OpenAi, &"k".repeat(513), Err(KeyFormError::TooLong)),
    ] {
        assert_eq!(check_key_form(provider, &SecretString::from(key)), expected, "{provider} {key}");
    }
}

#[test]
fn white_space_around_a_key_is_trimmed() {
    assert_eq!(trim_key(&"\t sk-0123\r\n".into()).expose_secret(), "sk-0123");
}

#[test]
fn providers_have_one_name_each() {
    for provider in Provider::ALL {
        assert_eq!(provider.as_str().parse(), Ok(provider));
        assert_eq!(serde_json::to_value(provider).unwrap(), provider.as_str());
    }
    assert_eq!("anthropic".parse::<Provider>(), Err(UnknownProvider::Anthropic));
    assert_eq!("OpenAI".parse::<Provider>(), Err(UnknownProvider::Other));
}

#[test]
fn the_estimate_of_tokens_is_rather_high() {
    for (text, at_least, at_most) in [
        ("", 0, 0),
        ("a", 1, 1),
        ("The quick brown fox jumps over the lazy dog.", 10, 15),
        ("Съешь же ещё этих мягких французских булок", 12, 30),
        ("春眠不覚暁処処聞啼鳥", 10, 20),
        ("🎉🎉", 4, 6),
    ] {
        assert!((at_least..=at_most).contains(&tokens(text)), "{text}: {}", tokens(text));
    }
}
