/// SCEP (RFC 8894) on the plain-HTTP PKI listener, for old devices that speak nothing else; off unless switched
/// on.
@NullMarked
package dev.holdfast.scep;

import org.jspecify.annotations.NullMarked;
