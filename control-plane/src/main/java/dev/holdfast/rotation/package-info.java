/// When certificates are renewed: told to each device, spread over the fleet, moved forward by campaigns.
@NullMarked
package dev.holdfast.rotation;

import org.jspecify.annotations.NullMarked;
