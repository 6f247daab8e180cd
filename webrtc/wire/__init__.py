"""What two machines say to each other.

Browser, kiosk agent and counter exchange only these models, as JSON. The browser's `webrtc/web/wire.ts` is
generated from them (`python build_web.py --wire`), so a field that changes here breaks the pages' type check.

    message     what every message is made of, and errors       call          legs, lines, devices
    catalogue   what is offered, and what it asks for           third_person  who comes into a call
    check       checks and verdicts                             passkey       of staff and of phones
    card face finger    how somebody is identified              live          the WebSocket, both directions
    visit       as the customer sees it                         console       as the clerk sees it
    recording   what was recorded, for those who watch          kiosk         the agent's own answers

Conventions: times are ISO 8601 with zone; durations carry their unit; bytes are standard base64; every model
refuses fields it does not know.
"""
