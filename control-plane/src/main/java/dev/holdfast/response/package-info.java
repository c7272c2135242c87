/// Incidents, playbooks, limits, isolation and its undo.
@NullMarked
package dev.holdfast.response;

import org.jspecify.annotations.NullMarked;
