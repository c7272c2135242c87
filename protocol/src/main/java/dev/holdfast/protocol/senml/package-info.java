/// Sensor Measurement Lists, RFC 8428, in JSON and CBOR.
@NullMarked
package dev.holdfast.protocol.senml;

import org.jspecify.annotations.NullMarked;
