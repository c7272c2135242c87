package dev.holdfast.protocol.senml;

import java.time.Instant;
import java.util.Optional;
import java.util.OptionalDouble;

/// A resolved record (RFC 8428 section 4.6): base fields applied, time absolute.
///
/// @param value the numeric value with the base value added; empty for a record of text, boolean, data or sum
/// only
/// @param sum the integrated sum with the base sum added
public record SenmlRecord(
        String name,
        Instant time,
        Optional<String> unit,
        OptionalDouble value,
        OptionalDouble sum,
        Optional<String> text,
        Optional<Boolean> bool) {}
