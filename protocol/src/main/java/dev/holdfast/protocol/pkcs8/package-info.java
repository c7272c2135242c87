/// Secrets under a passphrase, in the standard form: PKCS #8 with PBES2.
@NullMarked
package dev.holdfast.protocol.pkcs8;

import org.jspecify.annotations.NullMarked;
