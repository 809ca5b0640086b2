"""Reissue of an identifier, its status, its redelivery, its dispute."""
