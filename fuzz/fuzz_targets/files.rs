//! Any reference of a spec to a file, beside files of every kind.

#![no_main]

#[allow(dead_code)]
#[path = "../../src/input_files/hostile.rs"]
mod hostile;
#[allow(dead_code)]
#[path = "../../src/input_files.rs"]
mod input_files;

use std::cell::OnceCell;

use blis_sim::spec::files::MAX_BYTES;
use hostile::Folder;
use input_files::read;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static FOLDER: OnceCell<Folder> = const { OnceCell::new() };
}

fuzz_target!(|path: &str| {
    FOLDER.with(|folder| {
        folder.get_or_init(Folder::new).survives(path);
    });
});
