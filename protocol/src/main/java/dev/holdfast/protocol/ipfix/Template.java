package dev.holdfast.protocol.ipfix;

import java.util.List;

/// What a data record looks like (RFC 7011 section 3.4).
///
/// @param options whether its records describe the exporter and not flows
/// @param shortest the octets that a record has at least
record Template(List<Field> fields, boolean options, int shortest) {
    static final int VARIABLE = 65_535;

    /// @param enterprise 0 for the elements that IANA assigned
    /// @param length [#VARIABLE] for a length that stands in the record
    record Field(int element, long enterprise, int length) {}

    static Template of(List<Field> fields, boolean options) {
        int shortest = 0;
        for (Field field : fields) {
            shortest += field.length() == VARIABLE ? 1 : field.length();
        }
        return new Template(List.copyOf(fields), options, shortest);
    }
}
