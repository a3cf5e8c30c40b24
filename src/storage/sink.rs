//! Where the bytes of a file go while it is written.

use crate::error::Error;

/// Takes the bytes of a file piece by piece, from the first to the last.
pub trait Sink {
    /// Is called once, before all pieces, with the length of the file.
    ///
    /// # Errors
    /// Those of the sink: they end the build.
    fn begin(&mut self, length: u64) -> Result<(), Error>;

    /// Takes the next piece, of at most one MiB.
    ///
    /// # Errors
    /// Those of the sink: they end the build.
    fn write(&mut self, piece: &[u8]) -> Result<(), Error>;
}

/// Appends the file.
impl Sink for Vec<u8> {
    fn begin(&mut self, length: u64) -> Result<(), Error> {
        let memory = Error::OutOfMemory { bytes: length };
        match usize::try_from(length) {
            Ok(length) => self.try_reserve_exact(length).map_err(|_| memory),
            Err(_) => Err(memory),
        }
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.extend_from_slice(piece);
        Ok(())
    }
}
