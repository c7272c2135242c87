/// What is told about devices besides MQTT: flows from gateways over HTTPS, IPFIX over UDP, syslog over TLS.
@NullMarked
package dev.holdfast.ingest;

import org.jspecify.annotations.NullMarked;
