//! What can be wrong with a body.

use sealed_item::ParseError::{FinalFrameLength, FinalFrameMissing, FrameSequence, TrailingBytes, Truncated};

use super::Refusal::{Open, Parse};
use super::{Parts, check, refusal};

#[test]
fn frames() {
    check! {
        "regular frames reordered" => Parse(FrameSequence), |parts| parts.frames.swap(0, 1);
        "regular frames reordered and renumbered" => Open, |parts| {
            parts.frames.swap(0, 1);
            parts.renumber(0, 1);
            parts.renumber(1, 2);
        };
        "first frame dropped" => Parse(FrameSequence), |parts| drop(parts.frames.remove(0));
        "first frame dropped, the rest renumbered" => Open, |parts| {
            parts.frames.remove(0);
            parts.renumber(0, 1);
            parts.renumber(1, 2);
        };
        "second frame dropped" => Parse(FrameSequence), |parts| drop(parts.frames.remove(1));
        "second frame dropped, the final one renumbered" => Open, |parts| {
            parts.frames.remove(1);
            parts.renumber(1, 2);
        };
        "a frame twice" => Parse(FrameSequence), |parts| parts.frames.insert(1, parts.frames[0].clone());
        "a frame twice, renumbered" => Open, |parts| {
            parts.frames.insert(1, parts.frames[0].clone());
            parts.renumber(1, 2);
            parts.renumber(2, 3);
            parts.renumber(3, 4);
        };
        "counted from 0" => Parse(FrameSequence), |parts| parts.renumber(0, 0);
        "final frame out of sequence" => Parse(FrameSequence), |parts| parts.renumber(2, 4);
        "final frame numbered 2^32-1" => Parse(FrameSequence), |parts| parts.renumber(2, u32::MAX);
        "final frame missing" => Parse(FinalFrameMissing), |parts| drop(parts.frames.pop());
        "no frame at all" => Parse(FinalFrameMissing), |parts| parts.frames.clear();
        "a regular frame cut short" => Parse(Truncated), |parts| {
            parts.frames.truncate(2);
            parts.frames[1].pop();
        };
        "final frame cut short" => Parse(Truncated), |parts| parts.frames[2].truncate(47);
        "end marker alone" => Parse(Truncated), |parts| parts.frames[2].truncate(4);
        "half a sequence number" => Parse(Truncated), |parts| parts.frames[2].truncate(2);
        "final frame first" => Parse(FrameSequence), |parts| parts.frames.rotate_right(1);
        "final frame twice" => Parse(TrailingBytes), |parts| parts.frames.push(parts.frames[2].clone());
        "a regular frame after the final one" =>
            Parse(TrailingBytes), |parts| parts.frames.push(parts.frames[0].clone());
        "a byte after the final frame" => Parse(TrailingBytes), |parts| parts.frames.push(vec![0]);
        "a message after the message" => Parse(TrailingBytes), |parts| parts.frames.push(Parts::sealed().assemble());
        "final frame longer than a frame" => Parse(FinalFrameLength), |parts| parts.frames[2][23] = 17;
        "final frame of 2^32-1 bytes" => Parse(FinalFrameLength), |parts| parts.frames[2][20..24].fill(0xff);
        "final frame's length too long by one" => Parse(Truncated), |parts| parts.frames[2][23] += 1;
        "final frame's length too short by one" => Parse(TrailingBytes), |parts| parts.frames[2][23] -= 1;
        "initialisation vector altered" => Open, |parts| parts.frames[0][15] ^= 1;
        "initialisation vector of the header" => Open, |parts| parts.frames[0][4..16].fill(0);
        "ciphertext altered" => Open, |parts| parts.frames[1][16] ^= 1;
        "tag altered" => Open, |parts| parts.frames[1][47] ^= 1;
        "final frame's ciphertext altered" => Open, |parts| parts.frames[2][24] ^= 1;
        "frames of another message" => Open, |parts| parts.frames = Parts::sealed().frames;
        "final frame of another message" => Open, |parts| parts.frames[2] = Parts::sealed().frames.remove(2);
        "first frame of another message" => Open, |parts| parts.frames[0] = Parts::sealed().frames.remove(0);
        "a regular frame dressed as the final one" => Open, |parts| {
            let frame = &parts.frames[1];
            let end = [[0xff; 4].as_slice(), &frame[..16], &[0, 0, 0, 16], &frame[16..]].concat();
            parts.frames = vec![parts.frames[0].clone(), end];
        };
        "final frame emptied" => Open, |parts| {
            parts.frames[2][20..24].fill(0);
            parts.frames[2].drain(24..32);
        };
    }
}
