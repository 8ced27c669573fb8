//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Moves items, given as JSON lines, from any vaults to one vault, and reads back what it wrote.
///
/// After an interruption of any kind, repeat the same command to go on. The token of a member of the workspace is in
/// the environment variable LATCHKEY_TOKEN, or in a file that is read again when the token has expired.
///
/// Exit status: 0, every item is in the target and reads back; 1, some are not; 2, a setting is wrong; 3, the run ended
/// early: repeat the command to go on; 4, the input has no items.
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    /// The API of one Region: the stack's output ApiUrl
    #[arg(long, env = "LATCHKEY_API_URL")]
    pub api_url: String,

    /// A file that holds the token, in place of LATCHKEY_TOKEN; whoever issues the token keeps it fresh
    #[arg(long)]
    pub token_file: Option<PathBuf>,

    /// The vault to move the items to
    #[arg(long)]
    pub to_vault_id: String,

    /// The items, one JSON object per line, with item_id, sealed_item and an optional context: a file, a pipe, or `-`
    /// for standard input
    #[arg(long)]
    pub input: PathBuf,

    /// Where the same lines go, with the items as they are in the target: a new file, or that of a move to go on with;
    /// the journal and the failures are beside it
    #[arg(long)]
    pub output: PathBuf,

    /// Also open the old and the new items and compare their plaintexts, which brings plaintext to this machine's
    /// memory
    #[arg(long)]
    pub compare: bool,

    /// How many calls to make at the same time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub parallel: u16,

    /// For how many seconds to retry an API that does not answer
    #[arg(long, default_value_t = 300)]
    pub patience: u64,
}
