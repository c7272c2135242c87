/// The JSON of hawkBit's Direct Device Integration API (https://eclipse.dev/hawkbit/apis/ddi_api/), as devices use it.
@NullMarked
package dev.holdfast.protocol.ddi;

import org.jspecify.annotations.NullMarked;
