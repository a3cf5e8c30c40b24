//! Parquet: a column for each field. Values become those of JSON; a null is no value. `rows` reads vectors too.

mod rows;

use super::fields::Object;
use crate::failure::Failure;
use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions as temporal;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatchReader as _};
use arrow_schema::{DataType, TimeUnit};
use serde_json::Value;
use std::path::Path;

pub(super) use rows::open;

/// Rows that are decoded at once.
const BATCH: usize = 1024;

/// A row: its fields, and its vector if vectors are read.
pub(super) struct Record {
    pub(super) fields: Object,
    pub(super) vector: Vec<f32>,
}

/// Takes a row.
pub(super) type Each<'a> = dyn FnMut(Record) -> Result<(), Failure> + 'a;

/// A file, and the columns of it that are read.
pub(super) struct Table<'a> {
    path: &'a Path,
    reader: ParquetRecordBatchReader,
    /// Rows in the file.
    count: usize,
    /// The column of the vectors, if these are read.
    vectors: Option<String>,
}

impl<'a> Table<'a> {
    /// Opens a file, to read the columns that are `wanted`.
    pub(super) fn open(path: &'a Path, wanted: &mut dyn FnMut(&str) -> bool) -> Result<Self, Failure> {
        let (file, _) = super::open_regular(path)?;
        // Without Arrow's own schema there are fewer types, and the same ones whoever wrote the file.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
            .map_err(|error| fault(path, &error))?;
        let fields = builder.schema().fields();
        let columns: Vec<usize> = (0..fields.len()).filter(|&at| wanted(fields[at].name())).collect();
        let count = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(usize::MAX);
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
        let reader = builder.with_projection(mask).with_batch_size(BATCH).build();
        let reader = reader.map_err(|error| fault(path, &error))?;
        Ok(Table { path, reader, count, vectors: None })
    }

    /// Whether a column is read.
    fn has(&self, name: &str) -> bool {
        self.reader.schema().fields().iter().any(|field| field.name() == name)
    }

    /// Reads at most `limit` rows. Returns how many.
    pub(super) fn rows(self, limit: usize, each: &mut Each<'_>) -> Result<usize, Failure> {
        let (path, mut count) = (self.path, 0);
        for batch in self.reader {
            let batch = batch.map_err(|error| fault(path, &error))?;
            let schema = batch.schema();
            for row in 0..batch.num_rows() {
                if count == limit {
                    return Ok(count);
                }
                let (mut fields, mut vector) = (Object::new(), Vec::new());
                for (field, column) in schema.fields().iter().zip(batch.columns()) {
                    let name = field.name();
                    let fault = |why| Failure::input(path, format!("row {count}, column {name:?}: {why}"));
                    if self.vectors.as_ref() == Some(name) {
                        vector = rows::vector(column, row).map_err(fault)?;
                        continue;
                    }
                    let value = value(column, row).map_err(fault)?;
                    if !value.is_null() {
                        fields.insert(name.clone(), value);
                    }
                }
                each(Record { fields, vector })?;
                count += 1;
            }
        }
        Ok(count)
    }
}

fn fault(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::input(path, format!("{error}: check that it is a whole Parquet file"))
}

/// A value as JSON.
fn value(array: &ArrayRef, row: usize) -> Result<Value, String> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    macro_rules! number {
        ($type:ty) => {
            array.as_primitive::<$type>().value(row)
        };
    }
    let time = |time: Option<_>| match time {
        Some(time) => Ok(Value::from(format!("{time:?}Z"))),
        None => Err("a time is beyond all years".to_owned()),
    };
    Ok(match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int8 => number!(Int8Type).into(),
        DataType::Int16 => number!(Int16Type).into(),
        DataType::Int32 => number!(Int32Type).into(),
        DataType::Int64 => number!(Int64Type).into(),
        DataType::UInt8 => number!(UInt8Type).into(),
        DataType::UInt16 => number!(UInt16Type).into(),
        DataType::UInt32 => number!(UInt32Type).into(),
        DataType::UInt64 => number!(UInt64Type).into(),
        DataType::Float16 => float(number!(Float16Type)),
        DataType::Float32 => float(number!(Float32Type)),
        DataType::Float64 => number!(Float64Type).into(),
        DataType::Decimal128(..) => float(array.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Date32 => match temporal::date32_to_datetime(number!(Date32Type)) {
            Some(date) => format!("{:?}", date.date()).into(),
            None => return Err("a date is beyond all years".to_owned()),
        },
        // A time without a zone counts as UTC.
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            return time(temporal::timestamp_ms_to_datetime(number!(TimestampMillisecondType)));
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            return time(temporal::timestamp_us_to_datetime(number!(TimestampMicrosecondType)));
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            return time(temporal::timestamp_ns_to_datetime(number!(TimestampNanosecondType)));
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|at| value(&items, at)).collect::<Result<Vec<_>, _>>()?.into()
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            let member = |(field, column): (&std::sync::Arc<arrow_schema::Field>, &ArrayRef)| {
                Ok((field.name().clone(), value(column, row)?))
            };
            Value::Object(columns.map(member).collect::<Result<_, String>>()?)
        }
        other => {
            return Err(format!(
                "JSON has no values of type {other}: leave the column out by --store, which names the others"
            ));
        }
    })
}

/// The f64 with the shortest digits of a number of less precision: 0.1 and not 0.10000000149. No number has none.
fn float(number: impl std::fmt::Display) -> Value {
    number.to_string().parse::<f64>().unwrap_or(f64::NAN).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::parquet::arrow::ArrowWriter;
    use ::parquet::basic::Compression;
    use ::parquet::file::properties::WriterProperties;
    use arrow_array::builder::{Int32Builder, ListBuilder, StringDictionaryBuilder};
    use arrow_array::{
        BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array,
        LargeStringArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
        TimestampMillisecondArray, TimestampNanosecondArray, UInt64Array,
    };
    use std::sync::Arc;

    fn write(columns: Vec<(&str, ArrayRef)>, compression: Compression) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)));
        let batch = batch.unwrap();
        let properties = WriterProperties::builder().set_compression(compression).build();
        let mut writer =
            ArrowWriter::try_new(file.reopen().unwrap(), batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        file
    }

    fn read(path: &Path, without: &str) -> Result<Vec<String>, String> {
        let mut rows = Vec::new();
        let table = Table::open(path, &mut |name| name != without);
        let count = table.and_then(|table| {
            table.rows(usize::MAX, &mut |Record { fields, .. }| {
                rows.push(Value::Object(fields).to_string());
                Ok(())
            })
        });
        match count {
            Ok(count) => assert_eq!(count, rows.len()),
            Err(Failure::Told { message, .. }) => return Err(message),
            Err(other) => panic!("{other:?}"),
        }
        Ok(rows)
    }

    #[test]
    fn values_become_those_of_json() {
        let mut tags = ListBuilder::new(Int32Builder::new());
        tags.append_value([Some(1), None]);
        tags.append_null();
        let mut pos = StringDictionaryBuilder::<arrow_array::types::Int8Type>::new();
        pos.append_value("n");
        pos.append_value("n");
        let place: Vec<(Arc<arrow_schema::Field>, ArrayRef)> = ["lat", "lon"]
            .map(|name| {
                let field = arrow_schema::Field::new(name, DataType::Float64, false);
                (Arc::new(field), Arc::new(Float64Array::from(vec![1.5, -2.0])) as ArrayRef)
            })
            .to_vec();
        let ms = 1_706_702_400_500;
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("vector", Arc::new(Int64Array::from(vec![7, 7]))),
            ("text", Arc::new(StringArray::from(vec![Some("ä"), None]))),
            ("long", Arc::new(LargeStringArray::from(vec!["a", "b"]))),
            ("pos", Arc::new(pos.finish())),
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("count", Arc::new(Int64Array::from(vec![-5, i64::MAX]))),
            ("big", Arc::new(UInt64Array::from(vec![0, u64::MAX]))),
            ("price", Arc::new(Float32Array::from(vec![0.1, f32::NAN]))),
            ("double", Arc::new(Float64Array::from(vec![0.1, 1e300]))),
            (
                "exact",
                Arc::new(Decimal128Array::from(vec![1250, -1]).with_precision_and_scale(9, 2).unwrap()),
            ),
            ("day", Arc::new(Date32Array::from(vec![0, 19_753]))),
            ("ms", Arc::new(TimestampMillisecondArray::from(vec![ms, 0]))),
            ("us", Arc::new(TimestampMicrosecondArray::from(vec![ms * 1000, 0]).with_timezone("UTC"))),
            ("ns", Arc::new(TimestampNanosecondArray::from(vec![ms * 1_000_000, 0]))),
            ("tags", Arc::new(tags.finish())),
            ("place", Arc::new(StructArray::from(place))),
        ];
        let expected = [
            concat!(
                r#"{"text":"ä","long":"a","pos":"n","flag":true,"count":-5,"big":0,"price":0.1,"double":0.1,"#,
                r#""exact":12.5,"day":"1970-01-01","ms":"2024-01-31T12:00:00.500Z","us":"2024-01-31T12:00:00.500Z","#,
                r#""ns":"2024-01-31T12:00:00.500Z","tags":[1,null],"place":{"lat":1.5,"lon":1.5}}"#
            ),
            concat!(
                r#"{"long":"b","pos":"n","count":9223372036854775807,"big":18446744073709551615,"double":1e+300,"#,
                r#""exact":-0.01,"day":"2024-01-31","ms":"1970-01-01T00:00:00Z","us":"1970-01-01T00:00:00Z","#,
                r#""ns":"1970-01-01T00:00:00Z","place":{"lat":-2.0,"lon":-2.0}}"#
            ),
        ];
        let codecs = [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::GZIP(Default::default()),
            Compression::BROTLI(Default::default()),
            Compression::LZ4_RAW,
            Compression::ZSTD(Default::default()),
        ];
        for codec in codecs {
            let file = write(columns.clone(), codec);
            assert_eq!(read(file.path(), "vector").unwrap(), expected, "{codec:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"\xff"[..]]));
        let file =
            write(vec![("a", Arc::new(Int64Array::from(vec![1]))), ("raw", bytes)], Compression::SNAPPY);
        let told = read(file.path(), "").expect_err("bytes");
        assert!(told.contains("row 0, column \"raw\": JSON has no values of type Binary"), "{told}");
        assert_eq!(read(file.path(), "raw").unwrap(), [r#"{"a":1}"#]);
        let whole = std::fs::read(file.path()).unwrap();
        for text in [&b""[..], b"PAR1", &whole[..whole.len() - 1], &whole[..whole.len() / 2]] {
            std::fs::write(file.path(), text).unwrap();
            let told = read(file.path(), "raw").expect_err("no Parquet");
            assert!(told.contains("check that it is a whole Parquet file"), "{told}");
        }
    }
}
