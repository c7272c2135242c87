/// The network enforcement point: observes and reports flows, enforces segments.
@NullMarked
package dev.holdfast.gateway;

import org.jspecify.annotations.NullMarked;
