//! One connection between two hosts, and the bytes that it moves.

use tcpstack::blocks;
use tcpstack::host::SocketId;

use super::{Link, Segmentation};
use crate::{CALL, Pair, Setting, Stream};

const PORT: u16 = 80;

/// Two hosts and a connected socket on each.
pub struct Bulk {
    link: Link,
    sender: SocketId,
    receiver: SocketId,
    stream: Stream,
    sink: Vec<u8>,
}

impl Bulk {
    /// Opens a connection from the one to the other.
    ///
    /// # Panics
    /// When the hosts do not connect.
    #[must_use]
    pub fn connect(setting: Setting, segmentation: Segmentation) -> Bulk {
        let mut link = Link::new(setting, segmentation);
        let listener = link.listen(PORT, 1);
        let sender = link.begin(PORT);
        link.settle();
        let (receiver, _) =
            link.server.accept(link.now, listener).expect("an established connection");
        Bulk { link, sender, receiver, stream: Stream::new(), sink: vec![0; CALL] }
    }

    /// Reads all there is.
    fn read(&mut self) -> usize {
        let Bulk { link, receiver, stream, sink, .. } = self;
        let mut total = 0;
        while let Ok(slices) = link.server.recv(link.now, *receiver, CALL, false) {
            let mut filled = 0;
            for slice in &slices {
                blocks::copy(slice, &mut sink[filled..filled + slice.len()]);
                filled += slice.len();
            }
            assert_ne!(filled, 0, "the stream ended");
            stream.read(&sink[..filled]);
            total += filled;
        }
        total
    }
}

impl Pair for Bulk {
    fn transfer(&mut self, len: usize) {
        let (mut sent, mut received) = (0, 0);
        while received < len {
            while sent < len {
                let piece = self.stream.next(len - sent);
                let Ok(count) = self.link.client.send(self.link.now, self.sender, piece) else {
                    break;
                };
                self.stream.wrote(count);
                sent += count;
            }
            let there = self.link.there();
            received += self.read();
            let back = self.link.back();
            if there + back == 0 && received < len {
                // Nothing moved: somebody waits for a timer.
                let next = self.link.next_timer().expect("somebody waits for a timer");
                self.link.jump(next);
            }
        }
    }
}
