//! What the tool is told.

use std::path::PathBuf;

use clap::Parser;

/// Moves items, as JSON lines, from whatever vaults they are in to one vault, and reads back what it wrote.
///
/// Repeat the same command to go on after an interruption of any kind. The token of a member of the workspace is in the
/// environment variable LATCHKEY_TOKEN, or in a file that is read again when it has expired.
///
/// Exit status: 0, every item is in the target and reads back; 1, some are not; 2, a setting is wrong; 3, the run ended
/// before its end, and goes on when the command is repeated.
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    /// The API of one Region, as the stack's output ApiUrl has it
    #[arg(long, env = "LATCHKEY_API_URL")]
    pub api_url: String,

    /// A file that holds the token, kept fresh by whoever issues it; instead of LATCHKEY_TOKEN
    #[arg(long)]
    pub token_file: Option<PathBuf>,

    /// The target
    #[arg(long)]
    pub to_vault_id: String,

    /// The items, one JSON object a line, with item_id, sealed_item and, if it has one, context; `-`: standard input
    #[arg(long)]
    pub input: PathBuf,

    /// Where the same lines go with the items as they are in the target; its journal and failures are beside it
    #[arg(long)]
    pub output: PathBuf,

    /// Open the old and the new items as well, and compare what they hold: plaintext comes to this machine's memory for that
    #[arg(long)]
    pub compare: bool,

    /// How many calls are under way at the same time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub parallel: u16,

    /// For how many seconds an API that does not answer is asked again
    #[arg(long, default_value_t = 300)]
    pub patience: u64,
}
