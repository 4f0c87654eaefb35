//! One connection between two smoltcp interfaces, and the bytes that it moves.

use smoltcp::time::{Duration, Instant};

use super::{End, PORT, ends};
use crate::{BATCH, CALL, Pair, Setting, Stream};

/// Two interfaces, a clock that jumps, and a connected socket on each.
pub struct Bulk {
    client: End,
    server: End,
    now: Instant,
    stream: Stream,
    sink: Vec<u8>,
}

impl Bulk {
    /// Opens a connection from the one to the other.
    ///
    /// # Panics
    /// When they do not connect.
    #[must_use]
    pub fn connect(setting: Setting) -> Bulk {
        let (mut client, mut server) = ends(setting, 1, BATCH);
        server.socket(0).listen(PORT).expect("a closed socket");
        client.connect(0, 49_152);
        for _ in 0..3 {
            client.poll(Instant::ZERO);
            server.poll(Instant::ZERO);
        }
        assert!(server.socket(0).may_recv(), "the connection is not established");
        let (stream, sink) = (Stream::new(), vec![0; CALL]);
        Bulk { client, server, now: Instant::ZERO, stream, sink }
    }

    /// Reads all there is.
    fn read(&mut self) -> usize {
        let mut total = 0;
        while self.server.socket(0).can_recv() {
            let count = self.server.socket(0).recv_slice(&mut self.sink).expect("an open stream");
            self.stream.read(&self.sink[..count]);
            total += count;
        }
        total
    }

    /// Nothing moved: the clock jumps to the next timer of either.
    fn wait(&mut self) {
        let Bulk { client, server, now, .. } = self;
        let deadlines = [&mut *client, server]
            .map(|end| end.interface.poll_at(*now, &end.sockets))
            .into_iter()
            .flatten();
        *now = deadlines.min().expect("somebody waits for a timer").max(*now);
    }
}

impl Pair for Bulk {
    fn transfer(&mut self, len: usize) {
        let (mut sent, mut received) = (0, 0);
        while received < len {
            let socket = self.client.socket(0);
            while sent < len && socket.can_send() {
                let count = socket.send_slice(self.stream.next(len - sent)).expect("open");
                self.stream.wrote(count);
                sent += count;
            }
            self.client.poll(self.now);
            self.server.poll(self.now);
            let read = self.read();
            received += read;
            if read == 0 && self.client.wire.incoming.packets.borrow().is_empty() {
                self.wait();
            }
            // A microsecond a turn: time goes by, but no timer is ever the answer.
            self.now += Duration::from_micros(1);
        }
    }
}
