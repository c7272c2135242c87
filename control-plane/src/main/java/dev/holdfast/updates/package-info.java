/// The edge for updates: hawkBit's Direct Device Integration API over mutual TLS.
@NullMarked
package dev.holdfast.updates;

import org.jspecify.annotations.NullMarked;
