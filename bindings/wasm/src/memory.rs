//! The memory of a reader while it is open: how much it may hold, and where that is. A page that only searches does not load this.

use pagevec::Held;
use wasm_bindgen::prelude::*;

use crate::convert::{to_js, whole};
use crate::reader::Reader;

#[cfg(target_family = "wasm")]
// SAFETY: the linker defines these in every module. Only their addresses are taken.
unsafe extern "C" {
    safe static __global_base: u8;
    safe static __data_end: u8;
    safe static __heap_base: u8;
}

/// Where the statics begin and end, and where the heap begins.
#[cfg(target_family = "wasm")]
fn places() -> [f64; 5] {
    let [statics, end, heap] =
        [&raw const __global_base, &raw const __data_end, &raw const __heap_base].map(|at| at.addr() as f64);
    [statics, end, heap, 0.0, 0.0]
}

#[cfg(not(target_family = "wasm"))]
fn places() -> [f64; 5] {
    [0.0; 5]
}

#[wasm_bindgen]
impl Reader {
    /// Changes the memory budget while no operation is under way; what fits of what is held stays.
    #[wasm_bindgen(js_name = setMemoryBudget)]
    pub fn set_memory_budget(&mut self, bytes: f64) -> Result<(), JsValue> {
        self.session.set_memory_budget(whole("memoryBudget", bytes)?).map_err(to_js)
    }

    /// Drops the memory that searches reuse, and at least so many bytes of what is held of the files, if there are as many; returns
    /// how many. No operation may be under way.
    pub fn evict(&mut self, bytes: f64) -> Result<f64, JsValue> {
        self.session.evict(bytes as u64).map(|dropped| dropped as f64).map_err(to_js)
    }

    /// What is held and where in the linear memory, in fives. The first is where the statics begin, where they end, where the
    /// heap begins, 0, 0; the stack lies below the statics. Then: 0, offset and length of the first section of a region, the
    /// bytes of the region, 0; 1, address and length of a piece of its memory, 0, 0; 2, offset and length of a unit that is
    /// there, its address, and 1 if it was read since this was asked last. What follows a region is of it.
    pub fn held(&self) -> Result<Vec<f64>, JsValue> {
        let mut numbers = places().to_vec();
        self.session.held(&mut |held| {
            let five = match held {
                Held::Region { section, most } => [0, section.offset, section.length, most, 0],
                Held::Memory { address, length } => [1, address as u64, length as u64, 0, 0],
                Held::Unit { extent, address, touched } => {
                    [2, extent.offset, extent.length, address as u64, touched.into()]
                }
                _ => return,
            };
            numbers.extend(five.map(|number| number as f64));
        });
        Ok(numbers)
    }
}
