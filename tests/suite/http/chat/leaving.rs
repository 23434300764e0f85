//! Whoever goes away ends the call of the provider; what it may have cost is noted all the same.

use std::time::Duration;

use reqwest::Method;

use super::{KEY, PATH, calls, question, settle, streamed};
use crate::support::api::Service;
use crate::support::database::on_both;
use crate::support::provider_server::{Answer, Events, piece};
use crate::support::wait::until;

const LONGEST: Duration = Duration::from_secs(20);

on_both! {
    async fn a_stream_ends_with_whoever_reads_it(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let words = Events::data(vec![piece("word "); 2000]);
        service.provider.next(KEY, Answer::Events(Events { pause: Duration::from_millis(10), ..words }));
        let mut answer = ann.request(Method::POST, PATH).json(&streamed("Tell me more.")).send().await.unwrap();
        answer.chunk().await.unwrap().unwrap();
        assert_eq!(service.provider.streaming(), 1);
        drop(answer);
        until("the provider is let go", LONGEST, || async { service.provider.streaming() == 0 }).await;
        let noted = calls(&database, 1).await.remove(0);
        let tokens = noted.strip_prefix("owner failed abandoned maybe 5 ").unwrap();
        assert!((2..4000).contains(&tokens.parse::<i64>().unwrap()), "{noted}");
        service.end().await;
    }

    async fn a_question_that_nobody_waits_for_is_given_up(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        for asked in [question("Tell me more."), streamed("Tell me more.")] {
            service.provider.next(KEY, Answer::Hang);
            let before = service.provider.calls().len();
            let asking = tokio::spawn(ann.request(Method::POST, PATH).json(&asked).send());
            until("it is asked", LONGEST, || async { service.provider.calls().len() > before }).await;
            asking.abort();
        }
        assert_eq!(calls(&database, 2).await, ["owner failed abandoned maybe 5 0"; 2]);
        service.end().await;
    }

    async fn whoever_stops_reading_does_not_keep_the_provider(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.provider.call_timeout = Duration::from_secs(1)).await;
        let ann = settle(&service, "ann").await;
        let words = Events::data(vec![piece(&"word ".repeat(2000)); 2000]);
        service.provider.next(KEY, Answer::Events(words));
        let answer = ann.request(Method::POST, PATH).json(&streamed("Tell me more.")).send().await.unwrap();
        assert_eq!(calls(&database, 1).await[0].split(' ').nth(2), Some("abandoned"));
        until("the provider is let go", LONGEST, || async { service.provider.streaming() == 0 }).await;
        drop(answer);
        service.end().await;
    }
}
