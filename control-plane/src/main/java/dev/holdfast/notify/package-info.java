/// Webhooks and mail from a durable outbox that tails the journal.
@NullMarked
package dev.holdfast.notify;

import org.jspecify.annotations.NullMarked;
