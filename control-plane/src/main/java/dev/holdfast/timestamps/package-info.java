/// Signed time for devices without a clock (RFC 3161).
@NullMarked
package dev.holdfast.timestamps;

import org.jspecify.annotations.NullMarked;
