/// TPM 2.0 structures as devices send them, and what they prove (TCG TPM 2.0 Library, parts 1 and 2).
@NullMarked
package dev.holdfast.protocol.tpm;

import org.jspecify.annotations.NullMarked;
