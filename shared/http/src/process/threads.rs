//! The threads that a function runs on.

use core::future::Future;

use tokio::runtime::Builder;

/// Runs a function to its end. One thread is enough, because Lambda hands an environment one invocation at a time. With
/// several at a time (`AWS_LAMBDA_MAX_CONCURRENCY`, Lambda Managed Instances), there is a thread for each processor, so that
/// one invocation's parsing, sealing and opening does not hold up the others.
///
/// # Errors
/// The error of `function`, or that no thread could be started.
pub fn block_on<F>(function: F) -> Result<(), lambda_runtime::Error>
where
    F: Future<Output = Result<(), lambda_runtime::Error>>,
{
    let max_concurrency = std::env::var("AWS_LAMBDA_MAX_CONCURRENCY");
    let mut threads = if several_at_a_time(max_concurrency.ok().as_deref()) {
        Builder::new_multi_thread()
    } else {
        Builder::new_current_thread()
    };
    threads.enable_all().build()?.block_on(function)
}

/// A value that is not a number counts as one at a time, as in the Lambda runtime.
fn several_at_a_time(max_concurrency: Option<&str>) -> bool {
    max_concurrency
        .and_then(|number| number.parse::<u32>().ok())
        .is_some_and(|number| number > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_unless_the_environment_says_more() {
        for one in [None, Some(""), Some("0"), Some("1"), Some("-2"), Some("many")] {
            assert!(!several_at_a_time(one), "{one:?}");
        }
        assert!(several_at_a_time(Some("2")) && several_at_a_time(Some("64")));
    }
}
