//! From the question to the end of its answer: unlock, note the call, ask, note what it came to.

use std::time::Duration;

use super::course::{Course, Fault, until_gone};
use super::{ChatError, ChatKey, ChatPiece, ChatRequest, Reader};
use crate::provider::{Chat, chat, chat_stream};
use crate::run::generate::failure;
use crate::run::insist::insist;
use crate::run::scribe::Scribe;
use crate::store::{AiConfiguration, CallEnd, CallId, NewCall, Payer, UserId};

/// Class of a call that nobody waited for to its end.
const ABANDONED: &str = "abandoned";
/// The wait where a key was marked and freed again between two looks.
const CHANGED_MEANWHILE: Duration = Duration::from_secs(1);

impl Scribe {
    pub(super) async fn answer_chat(&self, request: ChatRequest, reader: &Reader) -> Result<(), ChatError> {
        let _place = self.chats.try_pass(request.user).ok_or(ChatError::TooMany)?;
        let (user, is_streamed) = (request.user, request.is_streamed);
        let (mut configuration, question) = self.prepare_chat(request)?;
        let call = self.begin_chat(user, configuration.as_ref(), &question).await?;
        let mut course = Course::begin(&question);
        let told = if is_streamed {
            self.tell(&question, reader, &mut course).await.map(|()| None)
        } else {
            self.write_whole(&question, reader, &mut course).await.map(Some)
        };
        match told {
            Ok(words) => {
                self.resume(configuration.as_mut()).await;
                let end = course.end();
                insist(|| self.store.end_call_without_run(user, call, end.clone())).await?;
                for piece in words.into_iter().chain([ChatPiece::End]) {
                    let _ = reader.send(Ok(piece)).await;
                }
                Ok(())
            }
            Err(Fault::Abandoned) => {
                let end = CallEnd { error_class: Some(ABANDONED), maybe_charged: true, ..course.abandoned() };
                Ok(insist(|| self.store.fail_call(user, call, end.clone())).await?)
            }
            Err(Fault::Provider(error)) => {
                let end = course.end_with(failure(&error, Duration::ZERO));
                self.regret((user, call), &error, end, configuration.as_ref()).await?;
                Err(ChatError::Provider(error))
            }
        }
    }

    /// With the key opened. The operator's is never used: nobody but the owner pays for a chat.
    fn prepare_chat(&self, request: ChatRequest) -> Result<(Option<AiConfiguration>, Chat), ChatError> {
        let ChatRequest { key, model, max_output_tokens, tells_usage, question, .. } = request;
        let (configuration, mut chat, most) = match key {
            ChatKey::Stored(stored) => {
                let key = self.open(*stored)?;
                let chat = Chat {
                    provider: key.provider,
                    base_url: key.base_url,
                    key: key.secret,
                    model: model.unwrap_or(key.model),
                    temperature: key.temperature.filter(|_| !question.contains_key("temperature")),
                    max_output_tokens: key.max_output_tokens,
                    tells_usage,
                    question,
                };
                (key.configuration, chat, key.max_output_tokens)
            }
            ChatKey::Given(given) => {
                let most = self.config.provider.max_output_tokens;
                let chat = Chat {
                    provider: given.provider,
                    base_url: given.base_url,
                    key: given.key,
                    model: model.ok_or(ChatError::NoModel)?,
                    temperature: None,
                    max_output_tokens: most,
                    tells_usage,
                    question,
                };
                (None, chat, most)
            }
        };
        match max_output_tokens {
            Some(asked) if asked > most => return Err(ChatError::TooManyTokens(most)),
            Some(asked) => chat.max_output_tokens = asked,
            None => {}
        }
        Ok((configuration, chat))
    }

    /// Commits that a call is about to be made, unless its key is not to be used.
    async fn begin_chat(
        &self,
        user: UserId,
        configuration: Option<&AiConfiguration>,
        chat: &Chat,
    ) -> Result<CallId, ChatError> {
        let call = NewCall {
            id: CallId::new(self.store.clock()),
            ai_configuration: configuration.map(|configuration| configuration.id),
            payer: Payer::Owner,
            provider: chat.provider.as_str().to_owned(),
            model: chat.model.clone(),
            is_probe: self.probe(configuration).await?,
        };
        let id = call.id;
        if self.store.begin_call_without_run(user, None, call).await? {
            return Ok(id);
        }
        match configuration {
            Some(configuration) => Err(self.why_not(user, Some(configuration.id)).await?.into()),
            None => Err(ChatError::KeyPaused(CHANGED_MEANWHILE)),
        }
    }

    /// The whole answer; it is handed over once its costs are noted.
    async fn write_whole(
        &self,
        question: &Chat,
        reader: &Reader,
        course: &mut Course,
    ) -> Result<ChatPiece, Fault> {
        let answer = until_gone(reader, chat(&self.clients, &self.config.provider, question)).await?;
        course.know(&answer);
        Ok(ChatPiece::Words(answer.body))
    }

    /// Hands over one piece after the other.
    async fn tell(&self, question: &Chat, reader: &Reader, course: &mut Course) -> Result<(), Fault> {
        let limits = &self.config.provider;
        let mut stream = until_gone(reader, chat_stream(&self.clients, limits, question)).await?;
        loop {
            let next = until_gone(reader, stream.next()).await;
            course.learn(stream.end());
            let Some(piece) = next? else { break };
            let sent = reader.send(Ok(ChatPiece::Words(piece)));
            // Whoever stops reading does not keep the provider waiting for ever.
            match tokio::time::timeout(limits.call_timeout, sent).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Err(Fault::Abandoned),
            }
        }
        tokio::spawn(stream.close());
        Ok(())
    }
}
