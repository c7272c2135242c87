/// The API's resources of identity: certificates, authorities, profiles, and how devices come in.
@NullMarked
package dev.holdfast.credentials;

import org.jspecify.annotations.NullMarked;
