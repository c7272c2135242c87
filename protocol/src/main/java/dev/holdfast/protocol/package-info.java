/// Pure codecs and verification, no I/O.
@NullMarked
package dev.holdfast.protocol;

import org.jspecify.annotations.NullMarked;
