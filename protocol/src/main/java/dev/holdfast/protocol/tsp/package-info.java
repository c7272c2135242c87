/// The time-stamp protocol (RFC 3161, RFC 5816): how a device without a clock learns what time it is from
/// somebody it can trust.
@NullMarked
package dev.holdfast.protocol.tsp;

import org.jspecify.annotations.NullMarked;
