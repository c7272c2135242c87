/// The operator plane: REST and server-sent events under `/api/v1`, and the console's static files.
@NullMarked
package dev.holdfast.operator;

import org.jspecify.annotations.NullMarked;
