"""Centres of two tiers: chains of referral and their capacity."""
