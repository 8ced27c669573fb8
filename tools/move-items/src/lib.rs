//! Moves items from vault to vault: a file or stream of sealed items in, the same items sealed in the target vault out.
//!
//! The service does the moving (`POST /v1/items/reassign`). Plaintext comes here only to be compared, if that is asked
//! for. The tool may be killed at any moment: nothing is lost, and nothing is written twice.
//!
//! | to find | read |
//! | --- | --- |
//! | what a line is, and what changes in it | [`item_line`] |
//! | how the input is opened, and how lines become calls | [`input`], [`line_reader`] |
//! | what is asked of the API, what its answers must be, what is retried | [`client`], [`item_answer`], [`patience`] |
//! | how the API is reached | [`http`] |
//! | what is on disk, in which order it is written, and where a run goes on | [`ledger`], [`journal`], [`failure`], [`disk`] |
//! | which files are never written | [`disk`], [`ledger`] (`found`), [`own_names`], [`file_id`] |
//! | the two phases | [`moving`], [`reading_back`] |
//! | what the final report says | [`report`] |
//!
//! A line stays as it is, except for its sealed item:
//!
//! ```
//! use move_items::item_line::ItemLine;
//!
//! let line = ItemLine::parse(br#"{ "sealed_item": "AgR4", "item_id": "i", "kept": 1.50 }"#).expect("an item");
//! assert_eq!(line.with_sealed_item("AgR5"), br#"{ "sealed_item": "AgR5", "item_id": "i", "kept": 1.50 }"#);
//! assert!(ItemLine::parse(b"{}").is_none());
//! ```

pub mod arguments;
pub mod client;
pub mod disk;
pub mod failure;
pub mod file_id;
mod found;
pub mod http;
pub mod input;
pub mod item_answer;
pub mod item_line;
pub mod journal;
pub mod ledger;
pub mod line_reader;
pub mod moving;
pub mod own_names;
pub mod patience;
pub mod progress;
pub mod reading_back;
pub mod report;
pub mod run;
pub mod stop;
