/// MQTT 3.1.1 and 5 over mutual TLS: a device publishes on its own four topics and hears its own commands;
/// there is no
/// broker here, nothing is routed from one device to another.
@NullMarked
package dev.holdfast.mqtt;

import org.jspecify.annotations.NullMarked;
