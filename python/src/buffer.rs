//! The caller's memory, used in place while the interpreter is released.
//!
//! A [`Bytes`] or [`BytesMut`] holds the exporter's buffer open, so the memory stays where it is
//! and as long as it is for the whole call. Anything that is one contiguous run of bytes will do:
//! `bytes`, `bytearray`, `memoryview`, `array`, `mmap`.
#![allow(unsafe_code)]

use std::slice;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyBufferError, PyTypeError};
use pyo3::prelude::*;

/// Memory to send from.
pub(crate) struct Bytes(PyUntypedBuffer);

/// Memory to receive into.
pub(crate) struct BytesMut(PyUntypedBuffer);

/// The buffer of `object`, if it is one contiguous run.
fn contiguous(object: Borrowed<'_, '_, PyAny>) -> PyResult<PyUntypedBuffer> {
    let buffer = PyUntypedBuffer::get(&object)?;
    if !buffer.is_c_contiguous() {
        return Err(PyBufferError::new_err("the buffer is not one contiguous run of bytes"));
    }
    Ok(buffer)
}

impl<'py> FromPyObject<'_, 'py> for Bytes {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Bytes> {
        contiguous(object).map(Bytes)
    }
}

impl<'py> FromPyObject<'_, 'py> for BytesMut {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<BytesMut> {
        let buffer = contiguous(object)?;
        if buffer.readonly() {
            return Err(PyTypeError::new_err("the buffer is read-only"));
        }
        Ok(BytesMut(buffer))
    }
}

impl Bytes {
    /// The bytes, from where they lie.
    pub(crate) fn as_slice(&self) -> &[u8] {
        if self.0.len_bytes() == 0 {
            return &[];
        }
        // SAFETY: the exporter guarantees `len_bytes` readable bytes at `buf_ptr` until the buffer
        // is released, which `self` does when it is dropped; `contiguous` ruled out strides. The
        // bytes are only ever copied from. A program that writes to a bytearray from another
        // thread while it is being sent sends some mixture, as it does with the kernel's send().
        unsafe { slice::from_raw_parts(self.0.buf_ptr().cast::<u8>(), self.0.len_bytes()) }
    }
}

impl BytesMut {
    /// The memory, where it lies.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        if self.0.len_bytes() == 0 {
            return &mut [];
        }
        // SAFETY: as for `Bytes::as_slice`; the buffer was checked to be writable, and `&mut self`
        // keeps this call's view of it the only one. The bytes are only ever copied to.
        unsafe { slice::from_raw_parts_mut(self.0.buf_ptr().cast::<u8>(), self.0.len_bytes()) }
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len_bytes()
    }
}
