//! The setters of the option structs, written once: `options.field(value)` takes the options, changes one field and
//! gives them back. A field that may be left out takes the value itself, `Some` or `None`.

/// Makes a setter for each field named. `impl Into<Option<T>>` is the argument of a field that may be left out.
macro_rules! setters {
    ($options:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        impl $options {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](field@Self::", stringify!($field), ").")]
                #[must_use]
                pub fn $field(mut self, $field: $type) -> Self {
                    self.$field = $field.into();
                    self
                }
            )+
        }
    };
}
