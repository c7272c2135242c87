/// Who may operate Holdfast: accounts with passkeys, sessions, invitations, API tokens, roles.
@NullMarked
package dev.holdfast.access;

import org.jspecify.annotations.NullMarked;
