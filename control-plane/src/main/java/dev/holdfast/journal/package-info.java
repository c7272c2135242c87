/// The tamper-evident record: every decision and change, hash-chained, written in the same transaction as the
/// change.
@NullMarked
package dev.holdfast.journal;

import org.jspecify.annotations.NullMarked;
