/// The server's configuration: one YAML file, every key also as an environment variable.
@NullMarked
package dev.holdfast.config;

import org.jspecify.annotations.NullMarked;
