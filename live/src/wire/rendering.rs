//! Texts of requests, rendered into buffers that are reused.
//!
//! Messages are cut from blocks; a block is returned once all its messages are written.

use async_nats::Subject;
use blis_sim::event::Request;
use blis_sim::model::Template;
use bytes::{Bytes, BytesMut};

use crate::wire::identity::Identity;
use crate::wire::reply_id::ReplyId;
use crate::wire::text::Filler;

/// The bytes of a block, unless a single text has more.
const BLOCK: usize = 64 << 10;

/// What renders the texts of a load.
pub struct Renderer {
    filler: Filler,
    text: String,
    block: BytesMut,
}

impl Renderer {
    /// One that fills in templates with this.
    pub fn new(filler: Filler) -> Renderer {
        Renderer {
            filler,
            text: String::new(),
            block: BytesMut::new(),
        }
    }

    /// What fills in templates, and a buffer for it.
    pub fn parts(&mut self) -> (&Filler, &mut String) {
        (&self.filler, &mut self.text)
    }

    /// The text of a request, which is number `sequence` of the run.
    pub fn text(&mut self, template: &Template, request: &Request, sequence: u64) -> &str {
        self.text.clear();
        self.filler
            .write(template, request, sequence, &mut self.text);
        &self.text
    }

    /// The text that was rendered last, to be sent.
    pub fn bytes(&mut self) -> Bytes {
        let free = self.block.capacity() - self.block.len();
        if free < self.text.len() {
            self.block.reserve(BLOCK.max(self.text.len()));
        }
        self.block.extend_from_slice(self.text.as_bytes());
        self.block.split().freeze()
    }

    /// The same as a subject.
    pub fn subject(&mut self) -> Subject {
        let bytes = self.bytes();
        // The bytes are those of a text.
        Subject::from_utf8(bytes).unwrap_or_else(|_| Subject::from(self.text.as_str()))
    }

    /// Where the reply to a request goes; its subject says whose request it is if it should.
    pub fn reply(&mut self, inbox: &str, id: ReplyId, names: Option<&Request>) -> Subject {
        self.text.clear();
        self.text.push_str(inbox);
        id.write(&mut self.text);
        if let Some(request) = names {
            let client = self.filler.client(request.client);
            Identity::of(id.epoch, request).write_token(client, &mut self.text);
        }
        self.subject()
    }
}
