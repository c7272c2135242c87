/// Observations from devices, gateways and logs.
@NullMarked
package dev.holdfast.telemetry;

import org.jspecify.annotations.NullMarked;
