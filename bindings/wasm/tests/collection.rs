//! A collection over a folder of JS: what is written is found, also after it is opened again; merges are done by bytes alone; what
//! the folder throws has its code.
#![cfg(all(target_arch = "wasm32", feature = "collection"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use js_sys::{Array, Float64Array, Function, JSON, Reflect, Uint8Array};
use pagevec_wasm::{CollectionJs, merge};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

const DIM: usize = 8;
/// Files in memory. `full` bytes fit; `files` shows them to tests.
const FOLDER: &str = r#"
const files = new Map();
const fail = (kind, name) => { throw Object.assign(new Error(`${name}: ${kind}`), { kind }); };
const file = (name) => ({
  length: () => files.get(name).length,
  read: (into, at) => { const part = files.get(name).subarray(at, at + into.length); into.set(part); return part.length; },
  write: (bytes, at) => {
    const old = files.get(name);
    if (at + bytes.length > full) fail("quota", name);
    const now = new Uint8Array(Math.max(old.length, at + bytes.length));
    now.set(old); now.set(bytes, at); files.set(name, now);
    return bytes.length;
  },
  truncate: (length) => { const now = new Uint8Array(length); now.set(files.get(name).subarray(0, length)); files.set(name, now); },
  flush() {}, close() {},
});
return {
  files,
  open(name, access) {
    if (access === "create" ? files.has(name) : !files.has(name)) fail(access === "create" ? "already-exists" : "not-found", name);
    if (access === "create") files.set(name, new Uint8Array(0));
    return file(name);
  },
  remove: (name) => void files.delete(name),
  list: () => [...files].map(([name, { length }]) => ({ name, length })),
  sync() {},
  lock: () => free,
};"#;

fn folder(full: f64, free: bool) -> JsValue {
    let make = Function::new_with_args("full, free", FOLDER);
    make.call2(&JsValue::NULL, &full.into(), &free.into()).unwrap()
}

fn open(folder: &JsValue, options: &str) -> Result<CollectionJs, JsValue> {
    CollectionJs::open(folder.clone().unchecked_into(), options, 1.0)
}

const OPTIONS: &str = r#"{"create":true,"dim":8,"durability":"relaxed","flush":{"rows":300}}"#;

/// No two of the tests are alike.
fn vector(id: usize) -> [f32; DIM] {
    std::array::from_fn(|at| (id * (at + 1) * 7919 % 10_007) as f32 / 5000.0 - 1.0)
}

fn upsert(collection: &mut CollectionJs, ids: std::ops::Range<usize>, request: u64) -> String {
    let vectors = ids.clone().flat_map(vector).collect();
    let fields: Array = ids.clone().map(|id| JsValue::from(format!("{{\"n\":{id}}}"))).collect();
    let ids = Float64Array::from(&ids.map(|id| id as f64).collect::<Vec<_>>()[..]);
    collection.upsert(&ids, vectors, Some(fields), 7, request).unwrap()
}

fn nearest(collection: &CollectionJs, id: usize) -> String {
    collection.search(vector(id).to_vec(), r#"{"k":1,"fields":true}"#).unwrap()
}

fn text(object: &JsValue, name: &str) -> String {
    Reflect::get(object, &name.into()).unwrap().as_string().unwrap()
}

fn code<T>(result: Result<T, JsValue>) -> String {
    text(&result.err().unwrap(), "code")
}

#[wasm_bindgen_test]
fn what_is_written_is_found_also_after_it_is_opened_again() {
    let folder = folder(f64::INFINITY, true);
    let mut notes = open(&folder, OPTIONS).unwrap();
    assert_eq!(upsert(&mut notes, 0..100, 1), r#"{"sequence":100,"upserted":100,"applied":true}"#);
    assert_eq!(upsert(&mut notes, 0..100, 1), r#"{"sequence":100,"upserted":0,"applied":false}"#);
    let one = Float64Array::from(&[5.0, 1000.0][..]);
    assert_eq!(notes.delete(&one, 7, 2).unwrap(), r#"{"sequence":102,"deleted":1,"applied":true}"#);
    assert!(nearest(&notes, 42).starts_with(r#"[{"hits":[{"id":42,"score":"#), "{}", nearest(&notes, 42));
    assert!(nearest(&notes, 42).contains(r#""fields":{"n":42}"#));
    notes.close().unwrap();
    assert_eq!(code(notes.sync()), "closed");
    let mut notes = open(&folder, r#"{"durability":"relaxed"}"#).unwrap();
    assert_eq!(notes.count().unwrap(), 99);
    assert_eq!(notes.ids(&4.into(), 3).unwrap(), "[6,7,8]");
    assert_eq!(notes.ids(&JsValue::NULL, 2).unwrap(), "[0,1]");
    assert_eq!(notes.ids(&98.into(), 2).unwrap(), "[99]");
    let rows = notes.get(&one, true, true).unwrap();
    let found = Reflect::get(&rows, &"found".into()).unwrap().unchecked_into::<Uint8Array>();
    assert_eq!(found.to_vec(), [0, 0]);
    assert_eq!(notes.clear(7, 3).unwrap(), r#"{"sequence":103,"deleted":99,"applied":true}"#);
}

#[wasm_bindgen_test]
fn texts_are_told_as_json() {
    let mut notes = open(&folder(f64::INFINITY, true), OPTIONS).unwrap();
    let odd = "a\"\\\n\u{1}é🙂";
    notes.upsert(&Array::of1(&odd.into()), vector(1).to_vec(), None, 1, 1).unwrap();
    let told = JSON::parse(&notes.ids(&JsValue::NULL, 9).unwrap()).unwrap();
    assert_eq!(told.unchecked_into::<Array>().get(0).as_string().as_deref(), Some(odd));
    assert_eq!(code(notes.upsert(&Array::of1(&1.into()), vector(1).to_vec(), None, 1, 2)), "argument");
    assert_eq!(code(notes.upsert(&Array::of1(&"b".into()), vec![0.5; 3], None, 1, 3)), "dimension");
    assert_eq!(code(notes.search(vector(1).to_vec(), "no")), "argument");
}

#[wasm_bindgen_test]
fn a_merge_needs_the_files_alone() {
    let folder = folder(f64::INFINITY, true);
    let mut notes = open(&folder, OPTIONS).unwrap();
    for batch in 0..5 {
        upsert(&mut notes, batch * 300..(batch + 1) * 300, batch as u64 + 1);
    }
    let plan = JSON::parse(&notes.plan(true).unwrap().unwrap()).unwrap();
    assert!(notes.plan(true).unwrap().is_none(), "one at a time");
    let id = Reflect::get(&plan, &"id".into()).unwrap().as_f64().unwrap() as u32;
    let input = Function::new_with_args(
        "folder, name",
        "const bytes = folder.files.get(name); return { length: bytes.length, read: folder.open(name, 'read').read };",
    );
    let inputs = Reflect::get(&plan, &"inputs".into()).unwrap().unchecked_into::<Array>();
    let inputs: Array =
        inputs.iter().map(|name| input.call2(&JsValue::NULL, &folder, &name).unwrap()).collect();
    let output = text(&plan, "output");
    let create = Function::new_with_args("folder, name", "return folder.open(name, 'create')");
    let file = create.call2(&JsValue::NULL, &folder, &output.as_str().into()).unwrap();
    let job = notes.job(id).unwrap();
    let stop = Function::new_no_args("return true");
    let again = file.clone();
    assert_eq!(code(merge(&job, inputs.clone(), again.unchecked_into(), Some(stop))), "cancelled");
    // What is written meanwhile is not lost.
    notes.delete(&Float64Array::from(&[7.0][..]), 7, 9).unwrap();
    let length = merge(&job, inputs, file.unchecked_into(), None).unwrap();
    assert!(notes.commit(id, &output, length).unwrap());
    assert_eq!(notes.count().unwrap(), 1499);
    assert!(!nearest(&notes, 7).contains(r#""id":7,"#));
    assert!(nearest(&notes, 1234).contains(r#""id":1234,"#));
    let stats = notes.stats().unwrap();
    assert!(stats.contains(r#""unindexed":0,"#) && stats.contains(r#""segments":1,"#), "{stats}");
    assert_eq!(code(notes.commit(id, &output, length)), "internal");
}

#[wasm_bindgen_test]
fn what_the_folder_throws_has_its_code() {
    let mut notes = open(&folder(40_000.0, true), OPTIONS).unwrap();
    let full = notes.upsert(&Float64Array::from(&[1.0][..]), vector(1).to_vec(), None, 1, 1).err().unwrap();
    assert_eq!((text(&full, "code").as_str(), text(&full, "message").as_str()), ("quota", "wal-0: quota"));
    assert_eq!(code(open(&folder(1e9, false), OPTIONS)), "locked");
    assert_eq!(code(open(&folder(1e9, true), r#"{"dim":8}"#)), "not-found");
    assert_eq!(code(open(&folder(1e9, true), r#"{"create":true}"#)), "argument");
    assert_eq!(code(open(&folder(1e9, true), r#"{"create":true,"dim":8,"codec":"pq"}"#)), "argument");
}
