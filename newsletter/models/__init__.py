from .campaigns import Campaign, CampaignText, Chunk, Delivery
from .packets import InfoPacket, InfoPacketText, PacketRequest
from .subscribers import Consent, ConsentWording, Subscriber, Subscription, Topic, TopicText

__all__ = [
    "Campaign",
    "CampaignText",
    "Chunk",
    "Consent",
    "ConsentWording",
    "Delivery",
    "InfoPacket",
    "InfoPacketText",
    "PacketRequest",
    "Subscriber",
    "Subscription",
    "Topic",
    "TopicText",
]
