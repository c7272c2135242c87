/// The listener for those who ask whether a certificate still counts: OCSP, CRLs and CA certificates over plain
/// HTTP.
@NullMarked
package dev.holdfast.pki;

import org.jspecify.annotations.NullMarked;
