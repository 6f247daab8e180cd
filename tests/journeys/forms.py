"""What customers of the journeys write into their forms."""

ADDRESS = {"address": "北京市海淀区清华园1号㐂楼", "postcode": "100084", "phone": "13800138000"}
NEW_CARD = {"card_last4": "0000", "how_lost": "lost", "deliver_to": "221B Baker Street, London"}
PIN_CARD = {"card_last4": "4321"}
NEW_LIMIT = {"new_limit": "200000", "purpose": "购房首付"}
