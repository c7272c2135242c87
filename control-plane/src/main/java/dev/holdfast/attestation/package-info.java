/// Evidence of what a device is and runs: what its TPM has signed, reference values, verdicts.
@NullMarked
package dev.holdfast.attestation;

import org.jspecify.annotations.NullMarked;
