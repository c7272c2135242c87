package dev.holdfast.updates;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The part of a file that is asked for (RFC 9110 section 14).
sealed interface ByteRange {
    /// The whole: no range was asked for, or one that may be ignored (section 14.2: another unit, several ranges, a
    /// form that can't be read).
    record Whole() implements ByteRange {}

    /// @param first of the octets, from 0
    /// @param last inclusive
    record Part(long first, long last) implements ByteRange {}

    /// Nothing of it is there (section 15.5.17).
    record Unsatisfiable() implements ByteRange {}

    Pattern ONE = Pattern.compile("bytes=[ \t]*(\\d{0,18})-(\\d{0,18})[ \t]*");

    /// @param header the value of `Range`, or null
    /// @param size of the file, more than 0
    static ByteRange of(@Nullable String header, long size) {
        Matcher one = header == null ? ONE.matcher("") : ONE.matcher(header);
        if (!one.matches() || (one.group(1).isEmpty() && one.group(2).isEmpty())) {
            return new Whole();
        }
        if (one.group(1).isEmpty()) {
            long suffix = Long.parseLong(one.group(2));
            return suffix == 0 ? new Unsatisfiable() : new Part(Math.max(0, size - suffix), size - 1);
        }
        long first = Long.parseLong(one.group(1));
        long last = one.group(2).isEmpty() ? size - 1 : Long.parseLong(one.group(2));
        if (first > last) {
            return one.group(2).isEmpty() ? new Unsatisfiable() : new Whole();
        }
        return first >= size ? new Unsatisfiable() : new Part(first, Math.min(last, size - 1));
    }
}
