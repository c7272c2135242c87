/// DER (X.690) for the paths on which every microsecond counts; everything else uses the library.
@NullMarked
package dev.holdfast.protocol.der;

import org.jspecify.annotations.NullMarked;
