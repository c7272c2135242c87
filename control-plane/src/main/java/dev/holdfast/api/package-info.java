/// The resources of the public API: devices, firmware, rollouts, incidents, each in a file of its own.
@org.jspecify.annotations.NullMarked
package dev.holdfast.api;
