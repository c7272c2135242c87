/// Cryptographic Message Syntax (RFC 5652): certificates-only messages.
@NullMarked
package dev.holdfast.protocol.cms;

import org.jspecify.annotations.NullMarked;
