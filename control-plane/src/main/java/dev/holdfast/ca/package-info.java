/// Certification authorities: their keys, their profiles, what they issued and what became of it (CRL, OCSP).
@NullMarked
package dev.holdfast.ca;

import org.jspecify.annotations.NullMarked;
