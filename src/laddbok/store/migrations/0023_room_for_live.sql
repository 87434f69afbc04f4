-- What readers see of a live session is written anew every two seconds: with room on its page it stays there, and no index changes.

ALTER TABLE session_live SET (fillfactor = 40);
