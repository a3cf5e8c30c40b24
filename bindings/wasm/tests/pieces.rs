//! A build hands its file to a callback: the pieces in order are the file of `build`, and what the callback throws ends
//! the build.
#![cfg(all(target_arch = "wasm32", feature = "build"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use js_sys::{Error, Function, Uint8Array};
use pagevec_wasm::{BuildOptionsJs, build, build_into};
use wasm_bindgen::{JsCast as _, JsValue, prelude::Closure};
use wasm_bindgen_test::wasm_bindgen_test;

const DIM: usize = 96;

fn options() -> BuildOptionsJs {
    let make = "return { dim: 96, metric: 'l2', codec: 'f32', graph: false, clusters: false, \
                onProgress() { return false }, onWarning() {} }";
    Function::new_no_args(make).call0(&JsValue::NULL).unwrap().unchecked_into()
}

/// So many that the file has several pieces.
fn rows() -> Vec<f32> {
    (0..6000 * DIM).map(|i| (i % 1021 * 7 % 1021) as f32 / 512.0).collect()
}

#[wasm_bindgen_test]
fn the_pieces_make_the_file() {
    let expected = build(rows(), &options()).unwrap();
    let file = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let taken = file.clone();
    let length = expected.len();
    let on_piece = Closure::<dyn FnMut(Uint8Array, f64, f64)>::new(move |piece: Uint8Array, offset, all| {
        assert_eq!((taken.borrow().len() as f64, length as f64), (offset, all));
        assert!(piece.length() <= 1 << 20);
        taken.borrow_mut().extend(piece.to_vec());
    });
    build_into(rows(), &options(), on_piece.as_ref().unchecked_ref()).unwrap();
    assert!(expected.len() > 2 << 20 && *file.borrow() == expected);
}

#[wasm_bindgen_test]
fn what_the_callback_throws_is_thrown() {
    let full = "if (offset > 0) throw new RangeError('the quota is used up')";
    let on_piece = Function::new_with_args("bytes, offset, length", full);
    let thrown = build_into(rows(), &options(), &on_piece).unwrap_err();
    assert_eq!(thrown.unchecked_into::<Error>().message(), "the quota is used up");
}
