// The formats that plugins may use: `@zos/core/format`. Pure: bytes to records and back.
