/// What is said outside of certificates that don't count any more: status by OCSP, lists.
@NullMarked
package dev.holdfast.revocation;

import org.jspecify.annotations.NullMarked;
