/// Enrolment, renewal, revocation and admission: the policy that decides, for every protocol alike.
@NullMarked
package dev.holdfast.identity;

import org.jspecify.annotations.NullMarked;
